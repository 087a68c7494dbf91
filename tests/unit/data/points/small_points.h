#pragma once

#include <string>

#include "config/data_config.h"
#include "support/temporary_folder.h"

namespace asap::test {

/// Two sets of two points with labels 1 and 0, in the layout of ModelNet10 samples.
inline std::string modelnet_bytes() {
  std::string bytes = "MN10";
  for (const int size : {2, 2, 3}) bytes += {static_cast<char>(size), 0, 0, 0};
  bytes += std::string{1, 0};
  for (const int value : {32767, 0, -32767, 100, 200, 300, 1, 2, 3, -4, -5, -6}) {
    bytes += static_cast<char>(value & 0xff);
    bytes += static_cast<char>((value >> 8) & 0xff);
  }
  return bytes;
}

inline config::DataConfig config_of(const TemporaryFolder& folder) {
  config::DataConfig config;
  config.kind = config::DataKind::points;
  config.path = folder.path().string();
  config.classes = 2;
  config.points.normalise = false;
  return config;
}

constexpr const char* kKernelSet =
    "set,label,x,y\na,1,0.5,1\na,1,2,3\n\n# a comment\nb, 0, -1, 1e-1\n";

}  // namespace asap::test
