#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/text_config.h"
#include "text/tokenizer.h"

namespace asap::test {

using Ids = std::vector<std::int32_t>;
using Words = std::vector<std::string>;

inline text::Texts texts_of(const Words& texts) {
  return {std::ssize(texts), [&texts](std::int64_t i) -> std::string_view {
            return texts[static_cast<std::size_t>(i)];
          }};
}

inline config::TextConfig words_config(int size, int min_count) {
  config::TextConfig config;
  config.vocabulary_size = size;
  config.min_count = min_count;
  return config;
}

/// Sentences of a small grammar, enough of them to learn pieces from.
inline Words sentences() {
  const Words subjects{"the old sailor", "a young teacher", "my neighbour", "the committee"},
      verbs{"remembers", "describes", "questions", "celebrates"},
      objects{"the harbour", "an evening", "those mountains", "a machine"};
  Words out;
  for (const std::string& subject : subjects)
    for (const std::string& verb : verbs)
      for (const std::string& object : objects)
        out.push_back(subject + " " + verb + " " + object + ".");
  return out;
}

inline config::TextConfig pieces_config() {
  config::TextConfig config;
  config.tokenizer = config::TokenizerKind::sentencepiece;
  config.vocabulary_size = 60;
  return config;
}

}  // namespace asap::test
