"""Which SDK this is, what is installed beside it, and which of its files are not as they were released."""

import base64
import hashlib
from importlib.metadata import distribution, distributions

from account import arguments, show

arguments()
encord = distribution("encord")


def digest(path):
    found = hashlib.sha256(path.read_bytes()).digest()
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()


recorded = [file for file in encord.files or () if file.hash is not None]
show(
    {
        "version": encord.version,
        "files": len(recorded),
        "changed": [str(file) for file in recorded if digest(file.locate()) != file.hash.value],
        "packages": sorted(
            f"{one.metadata['Name'].lower().replace('_', '-')}=={one.version}" for one in distributions()
        ),
    }
)
