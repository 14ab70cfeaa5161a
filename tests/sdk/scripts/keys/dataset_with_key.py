"""What a dataset's API key is good for: read it, list rows, upload an image and a video (0.1.145)."""

from account import arguments, show
from encord.client import EncordClient
from encord.constants.enums import DataType

options = arguments("dataset", "api-key", "image", "video")
client = EncordClient.initialise(options.dataset, options.api_key, domain=options.url)
before = client.get_dataset()
image = client.upload_image(options.image)
renamed = client.upload_image(options.image, title="Renamed.jpg")
video = client.upload_video(options.video)
after = client.get_dataset()


def known(row):
    return {
        "uid": row.uid,
        "title": row.title,
        "type": row.data_type.value,
        "width": row.width,
        "height": row.height,
        "file_type": row.file_type,
        "file_size": row.file_size,
    }


show(
    {
        "client": type(client).__name__,
        "title": after.title,
        "before": len(before.data_rows),
        "image": dict(image),
        "renamed": dict(renamed),
        "video": dict(video),
        "rows": [known(row) for row in after.data_rows],
        "images": sorted(row.title for row in client.list_data_rows(data_types=[DataType.IMAGE])),
        "like": sorted(row.title for row in client.list_data_rows(title_like="Ren%")),
        "integrations": [vars(integration) for integration in client.get_cloud_integrations()],
    }
)
