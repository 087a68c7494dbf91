#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/json.h"
#include "text/tokenizer.h"

namespace asap::text {

/// The token ids and classes that a training learnt from its texts, with which every later text
/// must be read.
struct TextCodec {
  config::TextConfig config;  ///< of the training
  std::shared_ptr<const Tokenizer> tokenizer;
  std::vector<std::string> labels;       ///< in the spelling of the files, one per class
  std::vector<std::string> class_names;  ///< of the same classes
  std::vector<std::string> header;       ///< column names of the training file; empty: none

  bool has_classes() const { return !labels.empty(); }
  /// The token ids alone, for other classes.
  std::shared_ptr<const TextCodec> token_ids() const;
  /// The class of a label, or -1.
  int class_of(const std::string& label) const;
};

/// A codec as bytes: what lies in the folder that write_text_codec writes.
struct SerialisedCodec {
  io::Json description;   ///< codec.json
  std::string tokenizer;  ///< the tokenizer's file; empty when it needs none
};
SerialisedCodec serialise_text_codec(const TextCodec& codec);

/// DataError names `source` when the parts are damaged or do not belong together.
std::shared_ptr<const TextCodec> parse_text_codec(const SerialisedCodec& serialised,
                                                  const std::string& source);

/// Writes the folder with codec.json and the tokenizer's file; it appears only when complete and
/// replaces an older one. Equal content gives equal bytes.
void write_text_codec(const TextCodec& codec, const std::filesystem::path& folder);

/// DataError names the missing or damaged file.
std::shared_ptr<const TextCodec> read_text_codec(const std::filesystem::path& folder);

}  // namespace asap::text
