#pragma once

#include "text/tokenizer.h"

namespace asap::text {

/// Ids are the bytes of the text plus 1: no vocabulary, and nothing is unknown. Lower case only
/// where config.lowercase, and then of ASCII letters.
std::unique_ptr<Tokenizer> make_byte_tokenizer(const config::TextConfig& config);

}  // namespace asap::text
