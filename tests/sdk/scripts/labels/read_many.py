"""Read every label row in one request, as large exports do."""

from account import arguments, attempt, show, sign_in

options = arguments("project")
project = sign_in(options).get_project(options.project)
rows = project.list_label_rows_v2()


def read_all():
    with project.create_bundle() as bundle:
        for row in rows:
            row.initialise_labels(bundle=bundle)


outcome = attempt(read_all)
show({"rows": len(rows), **outcome})
