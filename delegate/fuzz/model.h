// Graphs from bytes: mostly sensible ones, with something wrong in many.
#pragma once

#include <memory>

#include "fuzz/bytes.h"
#include "fuzz/host.h"

namespace tflbnn::fuzz {

// Reads a graph of up to 12 nodes. The same bytes give the same graph.
void ReadModel(Bytes* bytes, Host* host);

}  // namespace tflbnn::fuzz
