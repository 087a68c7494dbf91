#include "data/sampler.h"

#include <string>

#include <doctest/doctest.h>

#include "property/count_refusals.h"

using namespace asap::data;
using namespace asap::io;
using namespace asap::test;

TEST_CASE("damaged sampler positions are accepted or refused, never more") {
  EpochSampler sampler({23, 5, 9, true});
  sampler.next();
  count_refusals(format_json(sampler.position()), [](const std::string& text) {
    EpochSampler other({23, 5, 9, true});
    other.restore(parse_json(text, "file"), "file");
    CHECK(other.next().size() > 0);
  });
}
