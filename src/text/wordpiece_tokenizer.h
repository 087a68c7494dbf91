#pragma once

#include "text/tokenizer.h"

namespace asap::text {

/// Longest word, in characters, that is cut into pieces; a longer one is the unknown token.
inline constexpr int kMostWordCharacters = 100;

/// The tokenizer of BERT (Devlin et al. 2019): words as text/wordpiece_words.h splits them, each
/// cut into the longest pieces of the vocabulary from left to right; pieces after the first begin
/// with "##". A word that cannot be cut so is [UNK]. [CLS] stands before every text and [SEP]
/// behind it. Where a text holds [PAD], [UNK], [CLS], [SEP] or [MASK] literally, that token is
/// meant. Gives the ids of the package `tokenizers`.
///
/// bytes: vocab.txt, one piece per line; the first has id 0. config: lowercase and strip_accents.
/// DataError names `source` and line for pieces that are empty, not UTF-8 or repeated, and for a
/// vocabulary without [UNK], [CLS] or [SEP].
std::unique_ptr<Tokenizer> parse_wordpiece(const config::TextConfig& config, std::string_view bytes,
                                           const std::string& source);

}  // namespace asap::text
