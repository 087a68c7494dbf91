#pragma once

#include "text/tokenizer.h"

namespace asap::text {

/// Words (see text/words.h) with ids by how often the texts hold them: most frequent first, equally
/// frequent ones in the order of their bytes; only those that come config.min_count times, and
/// config.vocabulary_size - 1 at most. DataError when no word is left.
std::unique_ptr<Tokenizer> learn_word_tokenizer(const config::TextConfig& config,
                                                const Texts& texts, const std::string& source);

/// From a word per line, the first of them id 1. DataError names `source` and line for words that
/// are empty, not UTF-8, or come twice.
std::unique_ptr<Tokenizer> parse_word_tokenizer(const config::TextConfig& config,
                                                std::string_view bytes, const std::string& source);

}  // namespace asap::text
