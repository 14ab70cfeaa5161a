"""The tracks of a sequence, as `motmetrics` reads them, and what it says of them beside themselves."""

import json
import sys

import motmetrics
import numpy

numpy.asfarray = numpy.asarray  # NumPy 2 has removed it, and motmetrics 1.4 calls it with floats
tracks = motmetrics.io.loadtxt(sys.argv[1], fmt=motmetrics.io.Format.MOT16)
accumulator = motmetrics.utils.compare_to_groundtruth(tracks, tracks, "iou", distth=0.5)
summary = motmetrics.metrics.create().compute(accumulator, metrics=["mota", "num_unique_objects", "num_frames"])
rows = tracks.reset_index()[["FrameId", "Id", "X", "Y", "Width", "Height", "ClassId"]]
print(json.dumps({"rows": rows.values.tolist(), "summary": summary.iloc[0].tolist()}))
