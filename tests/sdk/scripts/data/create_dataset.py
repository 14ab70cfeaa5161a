"""Make a dataset; `--mirror yes` gives it a folder that is kept in step."""

from account import arguments, show, sign_in
from encord.orm.dataset import StorageLocation

options = arguments("title", description=None, mirror="no")
created = sign_in(options).create_dataset(
    options.title,
    StorageLocation.CORD_STORAGE,
    dataset_description=options.description,
    create_backing_folder=options.mirror == "yes",
)
show(dict(created))
