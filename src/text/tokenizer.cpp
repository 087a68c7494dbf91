#include "text/tokenizer.h"

#include "text/byte_tokenizer.h"
#include "text/sentencepiece_tokenizer.h"
#include "text/word_tokenizer.h"

namespace asap {

std::unique_ptr<Tokenizer> learn_tokenizer(const TextConfig& config, const Texts& texts,
                                           const std::string& source) {
  switch (config.tokenizer) {
    case TokenizerKind::words:
      return learn_word_tokenizer(config, texts, source);
    case TokenizerKind::bytes:
      return make_byte_tokenizer(config);
    case TokenizerKind::sentencepiece:
      return learn_sentencepiece(config, texts, source);
  }
  throw InternalError("learn_tokenizer: unknown kind");
}

std::unique_ptr<Tokenizer> parse_tokenizer(const TextConfig& config, std::string_view bytes,
                                           const std::string& source) {
  switch (config.tokenizer) {
    case TokenizerKind::words:
      return parse_word_tokenizer(config, bytes, source);
    case TokenizerKind::bytes:
      return make_byte_tokenizer(config);
    case TokenizerKind::sentencepiece:
      return parse_sentencepiece(bytes, source);
  }
  throw InternalError("parse_tokenizer: unknown kind");
}

std::vector<std::int32_t> truncate_tokens(std::vector<std::int32_t> tokens, int most,
                                          Truncation truncation) {
  const std::ptrdiff_t excess = std::ssize(tokens) - most;
  if (excess <= 0) return tokens;
  std::ptrdiff_t kept_in_front = most;
  if (truncation == Truncation::tail) kept_in_front = 0;
  if (truncation == Truncation::head_tail) kept_in_front = (most + 1) / 2;
  tokens.erase(tokens.begin() + kept_in_front, tokens.begin() + kept_in_front + excess);
  return tokens;
}

}  // namespace asap
