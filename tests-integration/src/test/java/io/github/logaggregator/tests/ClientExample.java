package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A section of docs/clients.md, of which every word that a reader copies is what a test runs.
 *
 * @param files what is to be saved, by the name that stands before it
 * @param commands what is to be typed
 */
record ClientExample(Map<String, String> files, List<String> commands) {
    private static final Path PAGE = AggregatorSystem.ROOT.resolve("docs/clients.md");
    private static final Pattern BLOCK =
            Pattern.compile("^(?:`([^`\n]+)`[^\n]*:\n\n)?```\\w*\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

    static ClientExample of(String title) {
        try {
            String fromHere = Files.readString(PAGE).split("(?m)^## " + Pattern.quote(title) + "$", 2)[1];
            String section = fromHere.split("(?m)^## ", 2)[0];
            Map<String, String> files = new LinkedHashMap<>();
            List<String> commands = new ArrayList<>();
            for (Matcher block = BLOCK.matcher(section); block.find(); ) {
                if (block.group(1) == null) {
                    commands.add(block.group(2).strip());
                } else {
                    files.put(block.group(1), block.group(2));
                }
            }
            return new ClientExample(files, commands);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same with another text, such as an address, wherever the one of the page stands. */
    ClientExample with(String ofThePage, String ofTheTest) {
        assertThat(files.values()).anyMatch(file -> file.contains(ofThePage));
        Map<String, String> changed = new LinkedHashMap<>(files);
        changed.replaceAll((name, file) -> file.replace(ofThePage, ofTheTest));
        return new ClientExample(changed, commands);
    }

    String command() {
        assertThat(commands).hasSize(1);
        return commands.getFirst();
    }

    void saveIn(Path folder) throws IOException {
        assertThat(files).isNotEmpty();
        for (Map.Entry<String, String> file : files.entrySet()) {
            Files.writeString(folder.resolve(file.getKey()), file.getValue());
        }
    }
}
