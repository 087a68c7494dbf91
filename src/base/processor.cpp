#include "base/processor.h"

#include <fstream>
#include <thread>

#include "base/counted.h"
#include "base/text.h"

namespace asap::base {

std::string processor_description() {
  std::string model = "unknown processor";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos) model = trim(std::string_view(line).substr(colon + 1));
    break;
  }
  const unsigned threads = std::thread::hardware_concurrency();
  return model + ", " + base::counted(threads, "thread");
}

}  // namespace asap::base
