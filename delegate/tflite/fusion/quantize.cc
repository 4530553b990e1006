// LceQuantize of numbers in the epilogue of what makes them: signs are written instead of numbers,
// and for several readers with thresholds of their own at once. Switched off, the numbers go
// through memory. LceQuantize is the delegate's own, so there is nothing to accept here.
#include "tflite/fusion/fusion.h"

namespace tflbnn {
namespace {

bool Accepts(const NodeReader&) { return false; }
bool Pays(const Claims&, int) { return true; }
Status AddToPlan(Plan* plan, const NodeReader& node) {
  const int input = node.node->inputs->data[0], output = node.node->outputs->data[0];
  Shape shape;
  TFLBNN_RETURN_IF_ERROR(TensorShape(node.input(0), &shape));
  View view = plan->Read(input);
  int channels = 0;
  bool whole_words = true;
  for (const Segment& segment : view) {
    whole_words = whole_words && channels % 32 == 0;
    channels += segment.channels;
  }
  if (!whole_words) {  // two pieces would write one word
    plan->Store(input);
    view = plan->Read(input);
  }
  const int words = static_cast<int>(WordsForChannels(channels));
  int first = 0;
  for (const Segment& segment : view) {
    plan->Signs(segment, words, first, output);
    first += static_cast<int>(WordsForChannels(segment.channels));
  }
  return Status::Ok();
}

}  // namespace

const Fusion quantize_fusion = {FusionName::quantize, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
