#pragma once

namespace tflbnn {

// The sign of a batch normalisation, as one comparison.
//
//   y = fl(fl(x * m) + a), bit = y < 0.  Rounding never reverses an order, so for m > 0 the bit is
//   set for all x below some float t and for no other, and t is found by bisection over the floats,
//   on the rounded expression itself. For m < 0, fl(x * m) = fl(-x * |m|): the same with -x. For m
//   = 0 the bit is a < 0, whatever a finite x is. A NaN in x sets no bit either way.
//
// bit = (negate ? -x : x) < threshold, equal for every x but an infinite one at m = 0. False for an
// m or a that is infinite or NaN.
bool AffineThreshold(float m, float a, float* threshold, bool* negate);

}  // namespace tflbnn
