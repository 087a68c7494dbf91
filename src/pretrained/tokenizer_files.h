#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "config/text_config.h"
#include "text/tokenizer.h"

namespace asap::pretrained {

/// The WordPiece tokenizer of a pretrained model.
struct PretrainedTokenizer {
  config::TextConfig config;  ///< tokenizer, lowercase, strip_accents and max_tokens
  std::shared_ptr<const text::Tokenizer> tokenizer;
  /// Where max_tokens comes from and which files say otherwise: "256 (sentence_bert_config.json;
  /// tokenizer.json says 128)".
  std::string truncation;
};

/// Reads vocab.txt in `folder` and, where they exist, tokenizer_config.json, tokenizer.json and
/// sentence_bert_config.json. `positions`: rows of the position table. DataError names the file:
/// BPE and other tokenizers, a vocabulary without vocab.txt, a cased one with lower-casing,
/// settings that this toolkit lacks.
PretrainedTokenizer read_pretrained_tokenizer(const std::filesystem::path& folder, int positions);

}  // namespace asap::pretrained
