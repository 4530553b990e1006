// The profiles of all partitions of one delegate, as JSON.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/graph/profile.h"

namespace tflbnn {

class Profiles {
 public:
  // Partitions are numbered in the order in which they are built, those of all interpreters
  // together.
  int NextIndex();
  // A profile is listed as long as its partition keeps it.
  void Add(int index, const std::shared_ptr<Profile>& profile);
  // {"threads", "clock_ghz", "operations": [{"partition", "index", "op", "output", ...}]}. The
  // clock is the median while they ran or, where nothing has run yet, measured now.
  std::string Json(int threads);

 private:
  struct Entry {
    int partition;
    std::weak_ptr<Profile> profile;
  };
  std::mutex mutex_;
  int next_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace tflbnn
