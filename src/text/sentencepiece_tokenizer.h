#pragma once

#include "text/tokenizer.h"

namespace asap::text {

/// Subword pieces of a unigram language model (Kudo and Richardson 2018, SentencePiece), of about
/// config.vocabulary_size ids, learnt by one thread from the first texts, kSentencePieceBytes of
/// them, so that it is the same at any --threads and needs a bounded memory. UsageError when this
/// build is without the library, DataError when it cannot learn from these texts.
std::unique_ptr<Tokenizer> learn_sentencepiece(const config::TextConfig& config, const Texts& texts,
                                               const std::string& source);

/// From a model as the library writes it. DataError names `source` when it is none.
std::unique_ptr<Tokenizer> parse_sentencepiece(std::string_view bytes, const std::string& source);

inline constexpr std::int64_t kSentencePieceBytes = 16 << 20;

/// Whether this build has the library.
bool has_sentencepiece();

}  // namespace asap::text
