#include "data/texts/text_dataset.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "data/texts/text_files.h"
#include "data/texts/text_places.h"
#include "io/json.h"

namespace asap::data {
namespace {

constexpr std::int64_t kMostNamed = 10;  // labels that a message lists

/// The number a label is, or -1.
std::int64_t number_of(const std::string& label) {
  return base::parse_number<std::int64_t>(label).value_or(-1);
}

/// Numbers by value, everything else by its bytes.
std::vector<std::string> sorted_labels(const LabelledTexts& texts) {
  const std::set<std::string> different(texts.labels.begin(), texts.labels.end());
  std::vector<std::string> labels(different.begin(), different.end());
  std::ranges::stable_sort(labels, {}, number_of);
  return labels;
}

/// Labels and class names; every class must have texts.
void learn_classes(const LabelledTexts& texts, text::TextCodec& codec) {
  codec.labels = codec.class_names = sorted_labels(texts);
  if (!texts.class_file.empty()) {
    const auto names = read_names_of_labels(texts.class_file, codec.labels);
    const std::string file = texts.class_file.string();
    for (std::size_t i = 0; i < codec.labels.size(); ++i) {
      const auto found = names.find(codec.labels[i]);
      if (found == names.end())
        throw base::DataError(file + ": has no name for the label '" +
                                  io::excerpt(codec.labels[i]) + "' of " + texts.source,
                              "add it, or remove the file");
      codec.class_names[i] = found->second;
    }
    for (const auto& [label, name] : names)
      if (codec.class_of(label) < 0)
        throw base::DataError(texts.source + ": the class '" + io::excerpt(name) + "' of " + file +
                                  " (label " + io::excerpt(label) + ") is empty: it has no texts",
                              "raise data.train_examples, or correct the file");
  }
  if (codec.labels.size() < 2)
    throw base::DataError(
        texts.source + ": all texts have the label '" + io::excerpt(codec.labels.front()) + "'",
        "is data.text.label_column right?" +
            (texts.likely_label.empty() ? "" : " (" + texts.likely_label + ")") +
            (texts.header.empty() || codec.config.header != config::Answer::automatic
                 ? ""
                 : " or data.text.header=no, if the first line is no header"));
}

/// The configuration of `texts` as far as it decides how they are read and cut, with the token ids
/// of `initial`.
config::TextConfig with_token_ids_of(const config::TextConfig& initial, config::TextConfig texts) {
  texts.tokenizer = initial.tokenizer;
  texts.vocabulary_size = initial.vocabulary_size;
  texts.min_count = initial.min_count;
  texts.lowercase = initial.lowercase;
  texts.strip_accents = initial.strip_accents;
  texts.punctuation = initial.punctuation;
  return texts;
}

/// What `texts` teach beyond `initial`, which may hold token ids and is else null.
std::shared_ptr<const text::TextCodec> learn_text_codec(const config::DataConfig& config,
                                                        const LabelledTexts& texts,
                                                        const text::TextCodec* initial) {
  auto codec = std::make_shared<text::TextCodec>();
  codec->config = initial ? with_token_ids_of(initial->config, config.text) : config.text;
  codec->header = texts.header;
  learn_classes(texts, *codec);
  const text::Texts view{texts.size(), [&texts](std::int64_t i) -> std::string_view {
                           return texts.texts[static_cast<std::size_t>(i)];
                         }};
  codec->tokenizer =
      initial ? initial->tokenizer : text::learn_tokenizer(config.text, view, texts.source);
  return codec;
}

/// Pairs need a token between their texts.
void require_separator(const config::DataConfig& config, const text::Tokenizer& tokenizer) {
  if (config.text.pairs && !tokenizer.separator())
    throw base::UsageError(
        "data.text.pairs needs the separator of a pretrained model's tokenizer, which "
        "data.text.tokenizer has not",
        "--init-from MODEL brings one; without, leave data.text.pairs out");
}

LabelledTexts read_part(const config::DataConfig& config, Split split,
                        const text::TextCodec* codec) {
  LabelledTexts texts = read_labelled_texts(config, split, codec ? &codec->header : nullptr);
  texts.keep_first(split == Split::train ? config.train_examples : config.test_examples);
  return texts;
}

/// What data.path has to be so that these files are found again.
std::string folder_of(const LabelledTexts& texts, const config::DataConfig& config) {
  const bool named = !config.text.train_file.empty() && !config.path.empty();
  return named ? config.path : std::filesystem::path(texts.source).parent_path().string();
}

[[noreturn]] void fail_unseen(const LabelledTexts& texts, std::int64_t index,
                              const text::TextCodec& codec) {
  std::vector<std::string> known = codec.labels;
  const bool all = std::ssize(known) <= kMostNamed;
  if (!all) known.resize(kMostNamed);
  throw base::DataError(
      texts.place(index) + ": the label '" +
          io::excerpt(texts.labels[static_cast<std::size_t>(index)]) +
          "' does not occur in the training part",
      "its labels are " + io::excerpt(base::join(known, ", ")) + (all ? "" : ", ..."));
}

}  // namespace

Dataset load_text_dataset(const config::DataConfig& config, Split split,
                          std::shared_ptr<const text::TextCodec> codec) {
  const std::string doubt = split == Split::train ? doubt_about_parts(config) : "";
  const auto complete = [&] { return codec && codec->has_classes(); };
  if (!complete() && split == Split::test)
    codec = learn_text_codec(config, read_part(config, Split::train, nullptr), codec.get());
  const LabelledTexts texts = read_part(config, split, complete() ? codec.get() : nullptr);
  if (!complete()) codec = learn_text_codec(config, texts, codec.get());
  require_separator(config, *codec->tokenizer);
  Dataset dataset;
  const bool drawn = config.test_fraction > 0 && split == Split::test;
  dataset.name = texts.source + (drawn ? " (test part)" : "");
  dataset.skipped = texts.skipped;
  dataset.columns = texts.columns;
  dataset.likely_label = texts.likely_label;
  dataset.warning = texts.warning + (texts.warning.empty() || doubt.empty() ? "" : "; ") + doubt;
  dataset.place = folder_of(texts, config);
  dataset.kind = ExampleKind::tokens;
  dataset.vocabulary = codec->tokenizer->vocabulary();
  dataset.max_tokens = config.text.max_tokens;
  dataset.class_names = codec->class_names;
  dataset.offsets = {0};
  for (std::int64_t i = 0; i < texts.size(); ++i) {
    const auto index = static_cast<std::size_t>(i);
    const std::vector<std::int32_t> ids = text::encode_within(
        *codec->tokenizer, texts.texts[index], config.text.max_tokens, config.text.truncation);
    if (ids.empty() && config.text.skip_empty) continue;
    if (ids.empty())
      throw base::DataError(texts.place(i) + ": the text is empty",
                            "--set data.text.skip_empty=true leaves such texts out");
    dataset.labels.push_back(codec->class_of(texts.labels[index]));
    if (dataset.labels.back() < 0) fail_unseen(texts, i, *codec);
    dataset.ids.insert(dataset.ids.end(), ids.begin(), ids.end());
    dataset.offsets.push_back(std::ssize(dataset.ids));
  }
  if (dataset.labels.empty()) throw base::DataError(texts.source + ": all texts are empty");
  dataset.codec = std::move(codec);
  dataset.fingerprint = dataset_fingerprint(dataset);
  return dataset;
}

}  // namespace asap::data
