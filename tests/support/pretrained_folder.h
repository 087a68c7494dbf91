#pragma once

#include <filesystem>
#include <string>

#include "base/files.h"
#include "io/json.h"
#include "io/safetensors.h"

namespace asap::test {

/// The pretrained model of tests/golden/data/bert_tiny in a folder, whose files may be changed:
/// width 8, two layers of two heads, hidden width 12, 24 positions.
struct PretrainedFolder {
  std::filesystem::path path;
  io::Json config;
  io::TensorFile weights;
  std::string vocabulary;

  explicit PretrainedFolder(std::filesystem::path folder) : path(std::move(folder)) {
    const std::filesystem::path golden = std::filesystem::path(ASAP_GOLDEN_DATA) / "bert_tiny";
    config = io::read_json(golden / "config.json");
    weights = io::read_safetensors(golden / "model.safetensors");
    vocabulary = base::read_file(golden / "vocab.txt");
  }

  std::filesystem::path file() const { return path / "model.safetensors"; }

  /// Writes what it holds; an earlier folder goes.
  void write() const {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
    io::write_json(path / "config.json", config);
    io::write_safetensors(file(), weights);
    base::write_file_atomically(path / "vocab.txt", vocabulary);
  }

  void rename(const std::string& from, const std::string& to) {
    auto node = weights.tensors.extract(from);
    base::check(!node.empty(), "PretrainedFolder: no such tensor");
    node.key() = to;
    weights.tensors.insert(std::move(node));
  }
};

}  // namespace asap::test
