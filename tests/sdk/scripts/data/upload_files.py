"""Upload images and videos into a dataset with an SSH key."""

from account import arguments, show, sign_in

options = arguments("dataset", image=[], video=[], folder=None)
dataset = sign_in(options).get_dataset(options.dataset)
images = [dict(dataset.upload_image(path, folder=options.folder)) for path in options.image]
videos = [dict(dataset.upload_video(path, folder=options.folder)) for path in options.video]
show({"images": images, "videos": videos})
