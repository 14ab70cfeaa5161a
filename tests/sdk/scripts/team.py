"""What an administrator does with people: organisation, groups, tags, and their roles in what he has."""

from uuid import UUID

from account import arguments, attempt, show, sign_in
from encord.objects import OntologyStructure, Shape
from encord.orm.dataset import DatasetUserRole
from encord.orm.ontology import OntologyUserRole
from encord.orm.project import ProjectStatus
from encord.utilities.project_user import ProjectUserRole

options = arguments("project", "dataset", "ontology", "colleague", "outsider")
user = sign_in(options)
project = user.get_project(options.project)
dataset = user.get_dataset(options.dataset)
ontology = user.get_ontology(options.ontology)


def people(members):
    return {one.user_email: one.user_role.name for one in members}


def roles(groups):
    return {str(one.group_hash): one.user_role.name for one in groups}


user.add_organisation_user(options.colleague, role_mnemonic_name="MEMBER", member_type="internal")
again = attempt(
    lambda: user.add_organisation_user(options.colleague, role_mnemonic_name="MEMBER", member_type="internal")
)
members = {one.email: [str(one.role_mnemonic_name), str(one.member_type)] for one in user.list_organisation_users()}

group = user.create_group("Annotators", "People who annotate")
in_group = [one.user_email for one in group.add_users([options.colleague])]
outsider = attempt(lambda: group.add_users([options.outsider]))
group.update_group(description="Who annotates")
groups = [one.name for one in user.list_groups()]
listed_group = [one.user_email for one in group.list_users()]
found = user.get_group(group.group_hash)

project.add_group(group.group_hash, ProjectUserRole.REVIEWER)
dataset.add_group([group.group_hash], DatasetUserRole.ADMIN)
ontology.add_group(group.group_hash, OntologyUserRole.USER)
granted = {
    "project": roles(project.list_groups()),
    "dataset": roles(dataset.list_groups()),
    "ontology": roles(ontology.list_groups()),
}

added = people(project.add_users([options.outsider], ProjectUserRole.ANNOTATOR))
kept = people(project.add_users([options.outsider], ProjectUserRole.TEAM_MANAGER))
of_project = people(project.list_users())
dataset.add_users([options.outsider], DatasetUserRole.USER)
of_dataset = people(dataset.list_users())
project.remove_users([options.outsider])
dataset.remove_users([options.outsider])

tag = user.create_organisation_tag("prod", "Production")
taken = attempt(lambda: user.create_organisation_tag("prod"))
project.add_organisation_tag(tag_name="prod")
tagged = [one.name for one in project.get_organisation_tags(use_cache=False)]
by_tag = [one.title for one in user.list_projects(tags_anyof=["prod", "nothing"])]
missing = attempt(lambda: project.add_organisation_tag(tag_name="nothing"))
project.remove_organisation_tag(tag_uuid=tag.uuid)
untagged = list(project.get_organisation_tags(use_cache=False))
project.add_issue_tags(["blurred", "dark"])

project.set_status(ProjectStatus.IN_REVIEW)
status = user.get_project(options.project).status.value
branches = list(project.list_branches())

structure = OntologyStructure()
structure.add_object("Van", Shape.BOUNDING_BOX)
other = user.create_ontology("Team ontology", "", structure)
other.title = "Renamed"
other.save()

leaver = "leaver@example.com"
user.add_organisation_user(leaver, role_mnemonic_name="MEMBER", member_type="internal")
spare, spare_tag = user.create_group("Spare"), user.create_organisation_tag("spare")
spare.add_users([leaver])
project.add_group(spare.group_hash, ProjectUserRole.ADMIN)
ontology.add_group(spare.group_hash, OntologyUserRole.ADMIN)
project.remove_group(spare.group_hash)
ontology.remove_group(spare.group_hash)
still_there = [str(spare.group_hash) in roles(one.list_groups()) for one in (project, ontology)]
spare.remove_users([leaver])
emptied = list(spare.list_users())
user.delete_group(spare.group_hash)
user.delete_organisation_tag(tag_uuid=spare_tag.uuid)
user.remove_organisation_user(leaver)

show(
    {
        "still_there": still_there,
        "emptied": emptied,
        "remaining": [
            [one.name for one in user.list_groups()],
            [one.name for one in user.list_organisation_tags()],
            leaver in [one.email for one in user.list_organisation_users()],
        ],
        "again": again,
        "members": members,
        "group": [found.name, found.description, str(found.group_hash) == str(group.group_hash)],
        "groups": groups,
        "in_group": in_group,
        "listed_group": listed_group,
        "outsider": outsider,
        "granted": granted,
        "group_hash": str(group.group_hash),
        "added": added,
        "kept": kept,
        "of_project": of_project,
        "of_dataset": of_dataset,
        "left": [people(project.list_users()), people(dataset.list_users())],
        "taken": taken,
        "tagged": tagged,
        "by_tag": by_tag,
        "missing": missing,
        "untagged": untagged,
        "issue_tags": [one.name for one in project.get_issue_tags()],
        "status": status,
        "branches": branches,
        "renamed": user.get_ontology(other.ontology_hash).title,
        "nowhere": attempt(lambda: user.get_group(UUID("00000000-0000-4000-8000-00000000dead"))),
    }
)
