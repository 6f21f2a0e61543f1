/// The words that tasks are made of. Common ones, so that a small vocabulary holds each as one token.
enum TaskWords {
    static let names = words(
        """
        Adam Agnes Alan Alma Amir Anna Arthur Astrid Aysha Basil Beatrix Ben Bianca Boris Bruno Carla Cedric Chloe Clara Conrad
        Cora Cyril Daniel Daphne David Dina Dora Edgar Edith Elena Elias Emil Emma Erik Esther Eva Fabian Fatima Felix Fiona
        Flora Frank Frida George Gloria Greta Gustav Hana Harold Hassan Hazel Hector Helen Henry Hugo Ida Igor Ines Ingrid Irene
        Isaac Ivan Jacob Jane Jasper Joan Jonas Joseph Judith Julia Karim Karl Kate Klara Laila Lars Laura Leo Leon Lily Linus
        Lucia Lucas Lydia Magda Malik Marco Maria Mark Martha Max Mila Miriam Mona Nadia Nelson Nina Noah Nora Oliver Olga
        Omar Oscar Otto Paula Peter Petra Philip Piet Quentin Rachel Ralph Ravi Rita Robert Rosa Ruben Ruth Samir Sara Selma
        Simon Sofia Stella Sven Tamar Tessa Theo Thomas Tobias Uma Ursula Vera Victor Viola Wanda Walter Willem Xenia Yara Yusuf
        Zara Zeno
        """)

    static let cities = words(
        """
        Athens Berlin Boston Cairo Dublin Geneva Hamburg Havana Lagos Lima Lisbon London Madrid Milan Mumbai Munich Nairobi Oslo
        Paris Prague Quito Riga Rome Seoul Sofia Sydney Tokyo Tunis Turin Vienna Warsaw Zurich
        """)

    static let goods = words(
        """
        apples bags books bottles boxes bricks candles cards chairs coins cups eggs flowers keys lamps letters maps nails
        oranges papers pears pens plates ropes seeds shirts spoons stamps stones tables tickets tiles tools toys
        """)

    /// Plain words for texts to copy.
    static let plain = words(
        """
        above after again air along always answer any ask back before begin below best better big black blue both bring build
        call carry change city clear close cold come common country course cover cross cut day deep door down draw early earth
        east easy end even every eye face fall far fast father feel few field find fire first five follow food force form four
        free friend full game garden give gold good great green ground group grow half hand hard head hear heavy help high hold
        home horse hot hour house idea inch island keep kind king land large last late lead learn leave left letter life light
        line list listen little live long look love low main make man many map mark market mean measure mile mind minute money
        moon morning mother mountain move music name near never new next night north note notice number ocean often old once
        open order other over page paint paper part pass past people person picture piece plain plan plant play point power
        press problem produce public pull put question quick rain reach read ready red rest right river road rock room round
        rule run sail salt same sand school sea second see serve set seven ship shop short side simple sing size sleep slow
        small snow song sound south space speak special stand star start state stay step still stone stop story street strong
        study summer sun sure surface table talk teach test thing think three time town travel tree true turn under unit
        usual valley voice wait walk wall warm watch water week weight west wheel white whole wide wild wind window winter wish
        wonder wood word work world write year yellow young
        """)

    private static func words(_ text: String) -> [String] { text.split { $0 == " " || $0 == "\n" }.map(String.init) }
}
