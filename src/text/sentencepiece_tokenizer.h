#pragma once

#include "text/tokenizer.h"

namespace asap::text {

/// Subword pieces of a unigram language model (Kudo and Richardson 2018, SentencePiece), with about
/// config.vocabulary_size ids. One thread learns them from the first kSentencePieceBytes of the
/// texts, so that they do not depend on the number of threads and need bounded memory. UsageError
/// when this build has no sentencepiece, DataError when it cannot learn from these texts.
std::unique_ptr<Tokenizer> learn_sentencepiece(const config::TextConfig& config, const Texts& texts,
                                               const std::string& source);

/// Reads a model in the format of the library. DataError names `source`.
std::unique_ptr<Tokenizer> parse_sentencepiece(std::string_view bytes, const std::string& source);

inline constexpr std::int64_t kSentencePieceBytes = 16 << 20;

/// Whether this build has sentencepiece.
bool has_sentencepiece();

}  // namespace asap::text
