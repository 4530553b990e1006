"""Object detection with default boxes (SSD): encoding, matching, losses, suppression, average precision, drawing.

Boxes are (ymin, xmin, ymax, xmax) in shares of the image's height and width; default boxes and offsets are
(ycenter, xcenter, height, width), the order of TFLite_Detection_PostProcess. Only `losses` loads TensorFlow.

Source: Liu et al., "SSD: Single Shot MultiBox Detector" (2016), https://arxiv.org/abs/1512.02325, in the form of
Gluon-CV, which BDN section 5.3 trains.
"""

from tflbnn.detection.average_precision import AveragePrecision, mean_average_precision
from tflbnn.detection.boxes import decode, default_boxes, encode, intersection_over_union
from tflbnn.detection.suppression import Detections, PostProcessing, detect, non_max_suppression

__all__ = [
    "AveragePrecision",
    "Detections",
    "PostProcessing",
    "decode",
    "default_boxes",
    "detect",
    "encode",
    "intersection_over_union",
    "mean_average_precision",
    "non_max_suppression",
]
