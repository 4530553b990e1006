// CONCATENATION along the channels is not computed: its readers go to the pieces. In a dense block
// every convolution writes the signs of its few channels for each of the layers that follow, and
// nothing is ever copied. Who wants the whole in memory gets every piece written to its place.
#include "tflite/fusion/fusion.h"
#include "tflite/fusion/nodes.h"

namespace tflbnn {
namespace {

struct Options {  // TfLiteConcatenationParams
  int axis, activation;
};

bool Accepts(const NodeReader& node) {
  const TfLiteIntArray* inputs = node.node->inputs;
  if (!inputs || inputs->size < 2 || !IsBuiltin(node, kTfLiteBuiltinConcatenation, inputs->size) ||
      !node.node->builtin_data)
    return false;
  const TfLiteTensor& output = node.output();
  if (!IsFloat(output) || output.dims->size < 2) return false;
  const int rank = output.dims->size;
  const auto& options = *static_cast<const struct Options*>(node.node->builtin_data);
  if ((options.axis != rank - 1 && options.axis != -1) || options.activation != 0) return false;
  int channels = 0;
  for (int i = 0; i < inputs->size; ++i) {
    const TfLiteTensor& input = node.input(i);
    if (!IsFloat(input) || input.dims->size != rank) return false;
    channels += input.dims->data[rank - 1];
    for (int d = 0; d + 1 < rank; ++d) {
      if (input.dims->data[d] != output.dims->data[d]) return false;
    }
  }
  return channels == output.dims->data[rank - 1];
}

bool Pays(const Claims& claims, int node) {
  const TfLiteIntArray& inputs = *claims.node(node).node->inputs;
  for (int i = 0; i < inputs.size; ++i) {
    const int producer = claims.ProducerOf(inputs.data[i]);
    if (claims.ConvolutionMakes(inputs.data[i]) ||
        producer == static_cast<int>(FusionName::concat) ||
        producer == static_cast<int>(FusionName::residual)) {
      return true;
    }
  }
  return false;
}

Status AddToPlan(Plan* plan, const NodeReader& node) {
  View whole;
  for (int i = 0; i < node.node->inputs->size; ++i) {
    const View view = plan->Read(node.node->inputs->data[i]);
    whole.insert(whole.end(), view.begin(), view.end());
  }
  plan->Define(node.node->outputs->data[0], std::move(whole));
  return Status::Ok();
}

}  // namespace

const Fusion concat_fusion = {FusionName::concat, Accepts, Pays, AddToPlan};

}  // namespace tflbnn
