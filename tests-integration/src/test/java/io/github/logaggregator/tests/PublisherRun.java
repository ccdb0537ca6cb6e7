package io.github.logaggregator.tests;

/**
 * What a publisher that has ended left.
 *
 * @param status its exit status: 0 if the books balance
 * @param output what it wrote, errors included
 */
record PublisherRun(int status, String output) {}
