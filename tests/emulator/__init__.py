"""Tests of the emulator, by a hand-written client that shares no code with it nor with ours."""
