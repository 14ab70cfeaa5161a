"""Priorities, validation, classifications, branches, and everything that is logged of the work."""

import datetime

from account import arguments, show, sign_in

options = arguments("project")
project = sign_in(options).get_project(options.project)
rows = list(project.list_label_rows_v2())

with project.create_bundle() as bundle:
    for number, row in enumerate(rows):
        row.set_priority(number / len(rows), bundle=bundle)
labelled = [row for row in rows if row.label_hash]
with project.create_bundle() as bundle:
    for row in labelled:
        row.initialise_labels(bundle=bundle)

copied = project.copy_labels_to_branch("model-v1")
again = project.copy_labels_to_branch("model-v1")
forced = project.copy_labels_to_branch("model-v1", overwrite=True, label_hashes=[labelled[0].label_hash])

now = datetime.datetime.now(datetime.UTC)
day = datetime.timedelta(days=1)
editor_logs = list(project.get_editor_logs(now - day, now + day))
show(
    {
        "priorities": {row.data_hash: row.priority for row in project.list_label_rows_v2()},
        "errors": [row.get_validation_errors() for row in labelled],
        "classified": [
            {"label": entry.label_uuid, "answers": sorted(entry.classification_answers)}
            for entry in project.get_label_classifications([row.label_hash for row in labelled], batch_size=2)
        ],
        "copied": [copied, again, forced],
        "branches": list(project.list_branches()),
        "on_branch": [row.data_hash for row in project.list_label_rows_v2(branch_name="model-v1") if row.label_hash],
        "label_logs": [[log.action.name, log.user_email, log.data_hash] for log in project.get_label_logs()],
        "editor_logs": [[log.action, log.action_category, log.actor_user_email] for log in editor_logs],
        "time_spent": [
            [record.user_email, record.time_spent_seconds, record.data_title]
            for record in project.list_time_spent(now - day)
        ],
        "task_actions": [
            [action.action_type, action.actor_email] for action in project.get_task_actions(after=now - day)
        ],
        "timers": [
            [timer.user_email, timer.time_seconds]
            for timer in project.list_collaborator_timers(now - day, group_by_data_unit=False)
        ],
    }
)
