#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/text_config.h"

namespace asap::text {

/// Id that stands for a token the vocabulary does not hold, in every set of token sequences.
inline constexpr std::int32_t kUnknownToken = 0;

/// How texts become token ids. Texts must be valid UTF-8.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Ids below vocabulary(), kUnknownToken for what it does not hold. The same for any thread and
  /// machine.
  virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;

  /// Number of ids, kUnknownToken among them.
  virtual int vocabulary() const = 0;

  /// What an id stands for, as people should read it; kUnknownToken is "?". Valid UTF-8.
  virtual std::string piece(std::int32_t id) const = 0;

  /// What parse_tokenizer needs beside the configuration: equal bytes for equal tokenizers. Empty
  /// where the configuration says everything.
  virtual std::string serialise() const = 0;
};

/// Texts of a training part: how many, and each of them.
struct Texts {
  std::int64_t count = 0;
  std::function<std::string_view(std::int64_t)> at;
};

/// Learns a tokenizer from the texts, a pure function of them and the configuration. DataError,
/// which names `source`, when there is nothing to learn; UsageError when this build lacks the kind.
std::unique_ptr<Tokenizer> learn_tokenizer(const config::TextConfig& config, const Texts& texts,
                                           const std::string& source);

/// The tokenizer that was serialised. DataError, which names `source`, when the bytes are damaged.
std::unique_ptr<Tokenizer> parse_tokenizer(const config::TextConfig& config, std::string_view bytes,
                                           const std::string& source);

/// The first, last, or first and last of the tokens, `most` in all; of an odd number the first half
/// is the larger.
std::vector<std::int32_t> truncate_tokens(std::vector<std::int32_t> tokens, int most,
                                          config::Truncation truncation);

}  // namespace asap::text
