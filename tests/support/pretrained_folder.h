#pragma once

#include <filesystem>
#include <string>

#include "base/files.h"
#include "io/json.h"
#include "io/safetensors.h"

namespace asap::test {

/// A pretrained model of tests/golden/data in a folder, whose files may be changed: bert_tiny has
/// width 8, two layers of two heads, hidden width 12, 24 positions; vit_tiny as well, for images of
/// 12 x 12 pixels in patches of 4.
struct PretrainedFolder {
  std::filesystem::path path;
  io::Json config;
  io::TensorFile weights;
  std::string vocabulary;  // of texts
  io::Json preprocessor;   // of images

  explicit PretrainedFolder(std::filesystem::path folder, const char* model = "bert_tiny")
      : path(std::move(folder)) {
    const std::filesystem::path golden = std::filesystem::path(ASAP_GOLDEN_DATA) / model;
    config = io::read_json(golden / "config.json");
    weights = io::read_safetensors(golden / "model.safetensors");
    if (std::filesystem::exists(golden / "vocab.txt"))
      vocabulary = base::read_file(golden / "vocab.txt");
    else
      preprocessor = io::read_json(golden / "preprocessor_config.json");
  }

  std::filesystem::path file() const { return path / "model.safetensors"; }

  /// Writes what it holds; an earlier folder goes.
  void write() const {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
    io::write_json(path / "config.json", config);
    io::write_safetensors(file(), weights);
    if (!vocabulary.empty()) base::write_file_atomically(path / "vocab.txt", vocabulary);
    if (!preprocessor.is_null()) io::write_json(path / "preprocessor_config.json", preprocessor);
  }

  void rename(const std::string& from, const std::string& to) {
    auto node = weights.tensors.extract(from);
    base::check(!node.empty(), "PretrainedFolder: no such tensor");
    node.key() = to;
    weights.tensors.insert(std::move(node));
  }
};

}  // namespace asap::test
