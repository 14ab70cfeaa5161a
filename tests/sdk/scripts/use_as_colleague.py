"""What somebody sees and may do in a project that he got by a group or was added to."""

from account import arguments, attempt, show, sign_in
from encord.orm.project import ProjectStatus
from encord.utilities.project_user import ProjectUserRole

options = arguments("project", "stranger")
user = sign_in(options)
project = user.get_project(options.project)
show(
    {
        "title": project.title,
        "role": project.user_role.name,
        "objects": [one.name for one in project.ontology_structure.objects],
        "rows": len(project.list_label_rows_v2()),
        "listed": [one.title for one in user.list_projects()],
        "add a user": attempt(lambda: project.add_users([options.stranger], ProjectUserRole.ANNOTATOR)),
        "set the status": attempt(lambda: project.set_status(ProjectStatus.COMPLETED)),
        "copy": attempt(lambda: project.copy_project(new_title="Mine")),
        "make a group": attempt(lambda: user.create_group("Mine")),
        "add to the organisation": attempt(
            lambda: user.add_organisation_user(options.stranger, role_mnemonic_name="MEMBER", member_type="internal")
        ),
        "make a tag": attempt(lambda: user.create_organisation_tag("mine")),
    }
)
