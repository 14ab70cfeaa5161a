"""The files behind data units: from Encord's object store or a bucket to a directory, and frames out of videos."""
