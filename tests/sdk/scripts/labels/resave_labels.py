"""Read every label row that has labels and save it as it is, as a script that only passes through would do."""

from account import arguments, show, sign_in

options = arguments("project")
project = sign_in(options).get_project(options.project)
rows = [row for row in project.list_label_rows_v2() if row.label_hash]
with project.create_bundle() as bundle:
    for row in rows:
        row.initialise_labels(bundle=bundle)
with project.create_bundle() as bundle:
    for row in rows:
        row.save(bundle=bundle)
show([row.data_title for row in rows])
