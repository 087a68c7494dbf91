#include "text/tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "text/byte_tokenizer.h"
#include "text/sentencepiece_tokenizer.h"
#include "text/word_tokenizer.h"
#include "text/wordpiece_tokenizer.h"

namespace asap::text {
namespace {

/// Cuts two texts to `most` tokens together: the longer one to the length of the other, then both
/// alike, where the longer one keeps a token more if `most` is odd.
void truncate_pair(std::vector<std::int32_t>& first, std::vector<std::int32_t>& second, int most,
                   config::Truncation truncation) {
  std::vector<std::int32_t>& shorter = second.size() < first.size() ? second : first;
  std::vector<std::int32_t>& longer = second.size() < first.size() ? first : second;
  shorter = truncate_tokens(std::move(shorter), most / 2, truncation);
  longer = truncate_tokens(std::move(longer), most - static_cast<int>(shorter.size()), truncation);
}

/// The ids without a frame, cut to `most`. `separator`: their first, of several, counts.
std::vector<std::int32_t> cut(std::vector<std::int32_t> ids, std::optional<std::int32_t> separator,
                              int most, config::Truncation truncation) {
  const auto at = separator ? std::ranges::find(ids, *separator) : ids.end();
  if (at == ids.end() || std::ssize(ids) <= most)
    return truncate_tokens(std::move(ids), most, truncation);
  std::vector<std::int32_t> first(ids.begin(), at), second(at + 1, ids.end());
  truncate_pair(first, second, most - 1, truncation);
  first.push_back(*separator);
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

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
  std::vector<std::int32_t> ids = tokenizer.encode(text);
  const auto separates = [&](std::int32_t id) { return id == tokenizer.separator(); };
  const bool pair = std::ranges::any_of(ids, separates);
  const int least = around + (pair ? 2 : 1);
  if (most < least)
    throw base::UsageError("data.text.max_tokens is " + std::to_string(most) + ", but " +
                               std::to_string(around) + " tokens stand around every text" +
                               (pair ? " and one between the texts of a pair" : ""),
                           "--set data.text.max_tokens=" + std::to_string(least) + " or more");
  ids = cut(std::move(ids), tokenizer.separator(), most - around, truncation);
  if (std::ranges::all_of(ids, separates)) return {};
  ids.insert(ids.begin(), frame.before.begin(), frame.before.end());
  ids.insert(ids.end(), frame.behind.begin(), frame.behind.end());
  return ids;
}

}  // namespace asap::text
