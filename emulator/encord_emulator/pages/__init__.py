"""Pages for people: what is in the emulator, in a browser, at the addresses of Encord's web app. They only read."""
