"""Complete two label rows in a bundle, reopen one of them; show the stages after each step."""

from account import arguments, show, sign_in

options = arguments("project", title=[])
project = sign_in(options).get_project(options.project)


def stages():
    return {row.data_title: row.workflow_graph_node.title for row in project.list_label_rows_v2()}


steps = [stages()]
rows = [row for row in project.list_label_rows_v2() if row.data_title in options.title]
with project.create_bundle() as bundle:
    for row in rows:
        row.workflow_complete(bundle=bundle)
steps.append(stages())
next(row for row in rows if row.data_title == options.title[0]).workflow_reopen()
steps.append(stages())
show(steps)
