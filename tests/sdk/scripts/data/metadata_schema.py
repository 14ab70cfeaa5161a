"""The metadata schema in both its forms: keys added, changed, deleted, restored and read again."""

from account import arguments, show, sign_in

options = arguments()
client = sign_in(options)
empty = list(client.metadata_schema().keys())
schema = client.metadata_schema()
schema.add_scalar("brightness", data_type="number")
schema.add_scalar("old", data_type="text")
schema.add_scalar("gone", data_type="uuid")
schema.add_enum("site", values=["B", "A"])
schema.add_embedding("clip", size=3)
schema.add_geospatial("gps")
schema.save()

again = client.metadata_schema()
again.add_enum_options("site", values=["C"])
again.delete_key("old")
again.delete_key("gone", hard=True)
again.save()
deleted = client.metadata_schema()
is_deleted = [deleted.is_key_deleted("old"), deleted.is_key_deleted("site")]
deleted.restore_key("old")
deleted.save()
last = client.metadata_schema()

words = client.get_client_metadata_schema()
client.set_client_metadata_schema_from_dict({"brightness": "number", "site": "enum", "note": "long_string"})
replaced = client.metadata_schema()

show(
    {
        "empty": empty,
        "is_deleted": is_deleted,
        "types": {key: last.get_key_type(key) for key in ("brightness", "old", "site", "clip", "gps")},
        "options": [last.get_enum_options("site"), last.get_embedding_size("clip")],
        "words": words,
        "replaced": {key: replaced.get_key_type(key) for key in list(replaced.keys())},
        "kept_options": replaced.get_enum_options("site"),
    }
)
