#include "text/tokenizer.h"

#include "text/byte_tokenizer.h"
#include "text/sentencepiece_tokenizer.h"
#include "text/word_tokenizer.h"

namespace asap::text {

std::unique_ptr<Tokenizer> learn_tokenizer(const config::TextConfig& config, const Texts& texts,
                                           const std::string& source) {
  switch (config.tokenizer) {
    case config::TokenizerKind::words:
      return learn_word_tokenizer(config, texts, source);
    case config::TokenizerKind::bytes:
      return make_byte_tokenizer(config);
    case config::TokenizerKind::sentencepiece:
      return learn_sentencepiece(config, texts, source);
  }
  throw base::InternalError("learn_tokenizer: unknown kind");
}

std::unique_ptr<Tokenizer> parse_tokenizer(const config::TextConfig& config, std::string_view bytes,
                                           const std::string& source) {
  switch (config.tokenizer) {
    case config::TokenizerKind::words:
      return parse_word_tokenizer(config, bytes, source);
    case config::TokenizerKind::bytes:
      return make_byte_tokenizer(config);
    case config::TokenizerKind::sentencepiece:
      return parse_sentencepiece(bytes, source);
  }
  throw base::InternalError("parse_tokenizer: unknown kind");
}

std::vector<std::int32_t> truncate_tokens(std::vector<std::int32_t> tokens, int most,
                                          config::Truncation truncation) {
  const std::ptrdiff_t excess = std::ssize(tokens) - most;
  if (excess <= 0) return tokens;
  std::ptrdiff_t kept_in_front = most;
  if (truncation == config::Truncation::tail) kept_in_front = 0;
  if (truncation == config::Truncation::head_tail) kept_in_front = (most + 1) / 2;
  tokens.erase(tokens.begin() + kept_in_front, tokens.begin() + kept_in_front + excess);
  return tokens;
}

}  // namespace asap::text
