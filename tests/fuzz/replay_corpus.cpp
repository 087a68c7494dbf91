// Runs a fuzz target on every file of a folder: the corpus as an ordinary test. See README.md.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>

#include "base/error.h"
#include "base/files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  const std::filesystem::path folder = argc == 2 ? argv[1] : "";
  std::filesystem::path file;
  int inputs = 0;
  try {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      file = entry.path();
      const std::string bytes = asap::base::read_file(file);
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      ++inputs;
    }
  } catch (const std::exception& error) {
    std::cerr << file.string() << ": " << error.what() << '\n';
    return 1;
  }
  std::cout << inputs << " inputs\n";
  return inputs > 0 ? 0 : 1;
}
