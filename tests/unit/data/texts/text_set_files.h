#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "data/load/load_dataset.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"

namespace asap::test {

using Ids = std::vector<std::int32_t>;
using Names = std::vector<std::string>;

/// A folder of texts and the configuration that reads them: every word has an id, "a" 1, "b" 2...
struct TextFiles {
  TemporaryFolder folder;
  config::DataConfig config;

  TextFiles() {
    config.kind = config::DataKind::text;
    config.path = folder.path().string();
    config.name = "small";
    config.text.min_count = 1;
  }
  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((folder / name).parent_path());
    base::write_file_atomically(folder / name, content);
  }
  data::Dataset load(data::Split split = data::Split::train) const {
    return data::load_dataset(config, split);
  }
  Ids ids(const data::Dataset& dataset, std::int64_t example) const {
    return {dataset.ids.begin() + dataset.offsets[static_cast<std::size_t>(example)],
            dataset.ids.begin() + dataset.offsets[static_cast<std::size_t>(example) + 1]};
  }
  void refuse(std::initializer_list<const char*> parts,
              data::Split split = data::Split::train) const {
    expect_error<base::DataError>([&] { load(split); }, parts);
  }
};

constexpr const char* kTrain = "x\ta a a b\ny\tb a\nx\tc\n";
constexpr const char* kTest = "y\tb d\nx\ta\n";

}  // namespace asap::test
