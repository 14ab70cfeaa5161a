"""What a file says of itself: images, video, audio, PDF and DICOM."""
