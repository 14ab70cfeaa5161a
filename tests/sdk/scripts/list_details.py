"""List projects, datasets and ontologies of one title pattern with everything that a listing returns."""

from account import arguments, show, sign_in

options = arguments("like")
user = sign_in(options)
show(
    {
        "projects": [
            {
                "project_hash": str(project.project_hash),
                "title": project.title,
                "description": project.description,
                "created_at": project.created_at.timestamp(),
                "last_edited_at": project.last_edited_at.timestamp(),
                "creator": project.creator_email,
                "status": project.status.value,
                "role": int(project.user_role),
                "ontology_hash": project.ontology_hash,
            }
            for project in user.list_projects(title_like=options.like)
        ],
        "projects_v1": [
            {
                "project_hash": row["project"]["project_hash"],
                "title": row["project"]["title"],
                "created_at": row["project"]["created_at"],
                "role": int(row["user_role"]),
            }
            for row in user.get_projects(title_like=options.like)
        ],
        "datasets": [
            {
                "dataset_hash": row["dataset"].dataset_hash,
                "title": row["dataset"].title,
                "description": row["dataset"].description,
                "backing_folder_uuid": row["dataset"].backing_folder_uuid,
                "role": int(row["user_role"]),
            }
            for row in user.get_datasets(title_like=options.like)
        ],
        "ontologies": [
            {
                "ontology_hash": row["ontology"].ontology_hash,
                "title": row["ontology"].title,
                "role": row["user_role"].value,
                "structure": row["ontology"].structure.to_dict(),
            }
            for row in user.get_ontologies(title_like=options.like)
        ],
    }
)
