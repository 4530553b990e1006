// An operation whose results go through an epilogue.
#pragma once

#include <string>
#include <utility>

#include "core/epilogue/epilogue.h"

namespace tflbnn {

class ChainOperation : public Operation {
 public:
  // What happens to a result instead of being stored in output 0. Inputs of the epilogue follow the
  // operation's.
  void SetEpilogue(Epilogue epilogue) { epilogue_ = std::move(epilogue); }
  int OverwrittenInput(int output) const override { return epilogue_.OverwrittenInput(output); }
  std::string stages() const override { return epilogue_.Names(); }

 protected:
  explicit ChainOperation(int channels) : epilogue_(channels) {}

  Epilogue epilogue_;
};

}  // namespace tflbnn
