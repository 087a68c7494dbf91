#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <doctest/doctest.h>

#include "base/files.h"
#include "support/temporary_folder.h"

namespace asap::test {

/// Compilers that are installed, of gcc and clang.
inline std::vector<std::string> c_compilers() {
  std::vector<std::string> found;
  for (const char* name : {"gcc", "clang"})
    if (std::system((std::string(name) + " --version > /dev/null 2>&1").c_str()) == 0)
      found.emplace_back(name);
  return found;
}

/// A file of C, compiled as strict C99 into a library that traps at undefined behaviour, and
/// loaded.
class CompiledFile {
 public:
  explicit CompiledFile(const std::string& code, const std::string& compiler = "gcc") {
    const std::string file = folder_.path() / "code.c", library = folder_.path() / "code.so";
    base::write_file_atomically(file, code);
    const std::string command =
        compiler +
        " -std=c99 -Wall -Wextra -Wconversion -Wno-sign-conversion -Werror -pedantic -O1 -fPIC "
        "-shared -fsanitize=undefined -fsanitize-undefined-trap-on-error -o " +
        library + " " + file + " -lm";
    REQUIRE_MESSAGE(std::system(command.c_str()) == 0, command);
    library_ = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    REQUIRE_MESSAGE(library_ != nullptr, ::dlerror());
  }
  ~CompiledFile() {
    if (library_ != nullptr) ::dlclose(library_);
  }
  CompiledFile(const CompiledFile&) = delete;
  CompiledFile& operator=(const CompiledFile&) = delete;

  template <class Function>
  Function* function(const std::string& name) const {
    void* symbol = ::dlsym(library_, name.c_str());
    REQUIRE_MESSAGE(symbol != nullptr, name);
    return reinterpret_cast<Function*>(symbol);
  }

 private:
  TemporaryFolder folder_;
  void* library_ = nullptr;
};

/// The scratch of one call: as many floats as the file needs, then some that must stay as they
/// are.
class GuardedScratch {
 public:
  explicit GuardedScratch(std::int64_t floats)
      : values_(static_cast<std::size_t>(floats) + kGuards, kUntouched) {}
  float* data() { return values_.data(); }
  bool is_respected() const {
    return std::all_of(values_.end() - kGuards, values_.end(),
                       [](float value) { return value == kUntouched; });
  }

 private:
  static constexpr std::size_t kGuards = 64;
  static constexpr float kUntouched = 12345;
  std::vector<float> values_;
};

}  // namespace asap::test
