#pragma once

#include <string>
#include <vector>

#include "bundle/trained_model.h"
#include "data/dataset.h"

namespace asap::predict {

/// Examples to answer, in the form in which batches are filled.
struct Examples {
  data::Dataset dataset;             ///< its labels are all 0: see `labels`
  std::vector<std::string> ids;      ///< [examples]: how an example is named in the answers
  std::vector<std::int32_t> labels;  ///< [answers()], kNotScored where the label is not known

  std::int64_t size() const { return std::ssize(ids); }
  /// One for every example or, of a network that labels tokens, for every token of all examples.
  std::int64_t answers() const { return std::ssize(labels); }
  /// The answers of one example: the first, and how many.
  std::int64_t first_answer(std::int64_t example) const { return dataset.first_label(example); }
  std::int64_t answer_count(std::int64_t example) const { return dataset.label_count(example); }
  /// Appends example `index` of others, which are of the same kind and size.
  void append(const Examples& others, std::int64_t index);
};

/// No examples, of the kind and sizes that the network reads. UsageError for a network of drawn
/// token sequences, which has no tokenizer.
Examples no_examples(const bundle::TrainedModel& model);

/// UsageError for a network that labels every token, which has no answer for an example.
void require_answers_per_example(const bundle::TrainedModel& model);

/// The class of a label as files write it, or of a class name; kNotScored when there is none.
std::int32_t class_of(const bundle::TrainedModel& model, const std::string& name);

}  // namespace asap::predict
