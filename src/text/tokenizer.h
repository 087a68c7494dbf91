#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/text_config.h"

namespace asap::text {

/// The id of a token that the vocabulary lacks, in every set of token sequences but those of a
/// pretrained tokenizer, whose ids are given.
inline constexpr std::int32_t kUnknownToken = 0;

/// Ids that stand before and behind the tokens of every text.
struct TokenFrame {
  std::vector<std::int32_t> before = {}, behind = {};
};

/// How texts become token ids. Texts must be valid UTF-8.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Ids below vocabulary(), without the frame; unknown() for tokens it lacks. The same on every
  /// thread and machine.
  virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;

  /// The ids before and behind the tokens of every text; most tokenizers have none.
  virtual TokenFrame frame() const { return {}; }

  /// The id of the token between the texts of a pair; most tokenizers have none.
  virtual std::optional<std::int32_t> separator() const { return std::nullopt; }

  /// The id of a token that the vocabulary lacks.
  virtual std::int32_t unknown() const { return kUnknownToken; }

  /// Number of ids, including kUnknownToken.
  virtual int vocabulary() const = 0;

  /// The readable text of an id, in valid UTF-8; that of kUnknownToken is "?" where it is the
  /// unknown one.
  virtual std::string piece(std::int32_t id) const = 0;

  /// The bytes that parse_tokenizer needs besides the configuration, equal for equal tokenizers.
  /// Empty when the configuration is enough.
  virtual std::string serialise() const = 0;
};

/// Access to the texts of a training part.
struct Texts {
  std::int64_t count = 0;
  std::function<std::string_view(std::int64_t)> at;
};

/// Learns a tokenizer from the texts, as a pure function of them and the configuration. DataError
/// names `source` when there is nothing to learn; UsageError when this build lacks the kind.
std::unique_ptr<Tokenizer> learn_tokenizer(const config::TextConfig& config, const Texts& texts,
                                           const std::string& source);

/// Reads a serialised tokenizer. DataError names `source` when the bytes are damaged.
std::unique_ptr<Tokenizer> parse_tokenizer(const config::TextConfig& config, std::string_view bytes,
                                           const std::string& source);

/// Keeps `most` tokens: the first, the last, or both halves, of which the first is the larger when
/// `most` is odd.
std::vector<std::int32_t> truncate_tokens(std::vector<std::int32_t> tokens, int most,
                                          config::Truncation truncation);

/// The ids of a text in the tokenizer's frame, cut to `most` in all; none of a text without tokens.
/// Behind the tokenizer's separator the second text of a pair begins: of two texts that are too
/// long together the longer one is cut first, and each as `truncation` says. UsageError when `most`
/// leaves no room between the frame.
std::vector<std::int32_t> encode_within(const Tokenizer& tokenizer, std::string_view text, int most,
                                        config::Truncation truncation);

}  // namespace asap::text
