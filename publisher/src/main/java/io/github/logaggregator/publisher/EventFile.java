package io.github.logaggregator.publisher;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.EventParser;
import io.github.logaggregator.model.InvalidEventException;
import io.github.logaggregator.model.MalformedJsonException;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads events from a file, one JSON object a line, holding one line at a time. Empty lines are passed over; the first
 * line that is no event ends the run, with its number and every fault.
 */
final class EventFile implements Iterator<Event>, Closeable {
    private static final String STANDARD_INPUT = "-";

    private final String name;
    private final BufferedReader lines;
    private long lineNumber;
    private @Nullable Event next;

    private EventFile(String name, InputStream bytes) {
        this.name = name;
        // One char a byte: each line is decoded by itself, so that a fault in the encoding has a line number.
        this.lines = new BufferedReader(new InputStreamReader(bytes, StandardCharsets.ISO_8859_1));
    }

    /**
     * Opens the file of this name, or standard input for {@code -}.
     *
     * @throws RunFailedException if it can't be opened
     */
    static EventFile open(String input) {
        if (input.equals(STANDARD_INPUT)) {
            return new EventFile("standard input", System.in);
        }
        try {
            return new EventFile(input, Files.newInputStream(Path.of(input)));
        } catch (NoSuchFileException e) {
            throw new RunFailedException("publisher.input: there is no file " + input, PublisherRun.BAD_OPTIONS);
        } catch (IOException e) {
            throw new RunFailedException(
                    "publisher.input: " + input + " can't be read: " + e.getMessage(), PublisherRun.BAD_OPTIONS);
        }
    }

    /** @throws RunFailedException if the next line is no event, or can't be read */
    @Override
    public boolean hasNext() {
        if (next == null) {
            next = read();
        }
        return next != null;
    }

    @Override
    public Event next() {
        if (!hasNext() || next == null) {
            throw new NoSuchElementException();
        }
        Event event = next;
        next = null;
        return event;
    }

    private @Nullable Event read() {
        try {
            String line = lines.readLine();
            lineNumber++;
            while (line != null && line.isBlank()) {
                line = lines.readLine();
                lineNumber++;
            }
            return line == null ? null : EventParser.parseEvent(decode(line));
        } catch (CharacterCodingException e) {
            throw new RunFailedException(place() + "The text is not valid UTF-8.");
        } catch (MalformedJsonException e) {
            // To the parser the line is a text of its own, the first line of it: beside the file's number, confusing.
            throw new RunFailedException(
                    place() + String.valueOf(e.getMessage()).replace("at line 1, ", "at "));
        } catch (InvalidEventException e) {
            throw new RunFailedException(place()
                    + e.faults().stream()
                            .map(fault -> (fault.field() + " " + fault.message()).strip())
                            .collect(Collectors.joining("; ")));
        } catch (IOException e) {
            throw new RunFailedException(place() + "can't be read: " + e.getMessage());
        }
    }

    private static String decode(String line) throws CharacterCodingException {
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(line.getBytes(StandardCharsets.ISO_8859_1)))
                .toString();
    }

    private String place() {
        return name + ", line " + lineNumber + ": ";
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
