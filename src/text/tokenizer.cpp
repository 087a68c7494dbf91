#include "text/tokenizer.h"

#include "base/error.h"
#include "text/byte_tokenizer.h"
#include "text/sentencepiece_tokenizer.h"
#include "text/word_tokenizer.h"
#include "text/wordpiece_tokenizer.h"

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
    case config::TokenizerKind::wordpiece:
      throw base::UsageError(
          "data.text.tokenizer wordpiece is not learnt from texts: it belongs to a pretrained "
          "model",
          "name the model by train.init_from, with vocab.txt beside it, or choose "
          "data.text.tokenizer=words");
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
    case config::TokenizerKind::wordpiece:
      return parse_wordpiece(config, bytes, source);
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

std::vector<std::int32_t> encode_within(const Tokenizer& tokenizer, std::string_view text, int most,
                                        config::Truncation truncation) {
  const TokenFrame frame = tokenizer.frame();
  const auto around = static_cast<int>(frame.before.size() + frame.behind.size());
  if (most <= around)
    throw base::UsageError("data.text.max_tokens is " + std::to_string(most) + ", but " +
                               std::to_string(around) + " tokens stand around every text",
                           "--set data.text.max_tokens=" + std::to_string(around + 1) + " or more");
  std::vector<std::int32_t> ids =
      truncate_tokens(tokenizer.encode(text), most - around, truncation);
  if (ids.empty()) return ids;
  ids.insert(ids.begin(), frame.before.begin(), frame.before.end());
  ids.insert(ids.end(), frame.behind.begin(), frame.behind.end());
  return ids;
}

}  // namespace asap::text
