#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace asap::text {

/// What a training learnt of its texts and every later text must be read with: its token ids and
/// its classes.
struct TextCodec {
  config::TextConfig config;  ///< of the training
  std::shared_ptr<const Tokenizer> tokenizer;
  std::vector<std::string> labels;       ///< as files write them, one per class
  std::vector<std::string> class_names;  ///< of the same classes
  std::vector<std::string> header;       ///< column names of the training file; empty: it has none

  bool has_classes() const { return !labels.empty(); }
  /// The token ids alone, for other classes.
  std::shared_ptr<const TextCodec> token_ids() const;
  /// Class of a label, or -1.
  int class_of(const std::string& label) const;
};

/// Makes the folder, with codec.json and the tokenizer's file, appear whole, in the place of one
/// that stood there. Equal content is equal bytes.
void write_text_codec(const TextCodec& codec, const std::filesystem::path& folder);

/// DataError names the file that is missing or damaged.
std::shared_ptr<const TextCodec> read_text_codec(const std::filesystem::path& folder);

}  // namespace asap::text
