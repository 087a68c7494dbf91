#pragma once

#include "text/tokenizer.h"

namespace asap::text {

/// Words (see text/words.h) with ids in the order of their frequency, then of their bytes. It keeps
/// words that occur at least config.min_count times, at most config.vocabulary_size - 1 of them.
/// DataError when no word is left.
std::unique_ptr<Tokenizer> learn_word_tokenizer(const config::TextConfig& config,
                                                const Texts& texts, const std::string& source);

/// Reads one word per line; the first has id 1. DataError names `source` and line for words that
/// are empty, not UTF-8, or repeated.
std::unique_ptr<Tokenizer> parse_word_tokenizer(const config::TextConfig& config,
                                                std::string_view bytes, const std::string& source);

}  // namespace asap::text
