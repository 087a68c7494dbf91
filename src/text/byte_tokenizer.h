#pragma once

#include "text/tokenizer.h"

namespace asap::text {

/// Ids are the bytes of the text plus 1, so there is no vocabulary and no unknown token. With
/// config.lowercase, ASCII letters become lower case.
std::unique_ptr<Tokenizer> make_byte_tokenizer(const config::TextConfig& config);

}  // namespace asap::text
