#include "text/word_tokenizer.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "io/utf8.h"
#include "text/words.h"

namespace asap::text {
namespace {

/// Lets maps of strings be searched with views.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

template <class Value>
using WordMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

WordRules rules_of(const config::TextConfig& config) {
  return {config.lowercase, config.punctuation};
}

class WordTokenizer final : public Tokenizer {
 public:
  WordTokenizer(const WordRules& rules, std::vector<std::string> words)
      : rules_(rules), words_(std::move(words)) {
    for (const std::string& word : words_)
      ids_.emplace(word, static_cast<std::int32_t>(ids_.size()) + 1);
    base::check(ids_.size() == words_.size(), "WordTokenizer: a word comes twice");
    // Version 0.1.0 kept accents apart from their letters.
    for (std::size_t i = 0; i < words_.size(); ++i)
      ids_.emplace(composed(words_[i]), static_cast<std::int32_t>(i) + 1);
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    for_each_word(text, rules_, [&](std::string_view word) {
      const auto found = ids_.find(word);
      ids.push_back(found == ids_.end() ? kUnknownToken : found->second);
    });
    return ids;
  }

  int vocabulary() const override { return static_cast<int>(words_.size()) + 1; }

  std::string piece(std::int32_t id) const override {
    return id == kUnknownToken ? "?" : words_[static_cast<std::size_t>(id - 1)];
  }

  std::string serialise() const override {
    std::string lines;
    for (const std::string& word : words_) lines += word + '\n';
    return lines;
  }

 private:
  WordRules rules_;
  std::vector<std::string> words_;
  WordMap<std::int32_t> ids_;
};

WordMap<std::int64_t> count_words(const Texts& texts, const WordRules& rules) {
  WordMap<std::int64_t> counts;
  for (std::int64_t i = 0; i < texts.count; ++i)
    for_each_word(texts.at(i), rules, [&](std::string_view word) {
      const auto found = counts.find(word);
      if (found != counts.end())
        ++found->second;
      else
        counts.emplace(word, 1);
    });
  return counts;
}

}  // namespace

std::unique_ptr<Tokenizer> learn_word_tokenizer(const config::TextConfig& config,
                                                const Texts& texts, const std::string& source) {
  const WordMap<std::int64_t> counts = count_words(texts, rules_of(config));
  std::vector<std::pair<std::int64_t, std::string>> kept;  // minus the count, word
  for (const auto& [word, count] : counts)
    if (count >= config.min_count) kept.emplace_back(-count, word);
  if (kept.empty())
    throw base::DataError(
        source + ": no word occurs " + std::to_string(config.min_count) + " times",
        "lower data.text.min_count");
  std::ranges::sort(kept);
  kept.resize(std::min(kept.size(), static_cast<std::size_t>(config.vocabulary_size - 1)));
  std::vector<std::string> words;
  for (auto& entry : kept) words.push_back(std::move(entry.second));
  return std::make_unique<WordTokenizer>(rules_of(config), std::move(words));
}

std::unique_ptr<Tokenizer> parse_word_tokenizer(const config::TextConfig& config,
                                                std::string_view bytes, const std::string& source) {
  io::require_utf8(bytes, source);
  std::vector<std::string> words;
  WordMap<std::int64_t> lines;
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto line = std::ssize(words);
    const auto [first, is_new] = lines.emplace(words.back(), line);
    if (words.back().empty() || !is_new)
      throw base::DataError(
          source + ":" + std::to_string(line) +
              (is_new ? ": an empty word"
                      : ": repeats the word of line " + std::to_string(first->second)),
          "the file is damaged; train again, or restore it");
  }
  return std::make_unique<WordTokenizer>(rules_of(config), std::move(words));
}

}  // namespace asap::text
